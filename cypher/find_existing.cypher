// Finds which of the uids that other facts may refer to exist, with their label.
// $uids: list of strings
UNWIND $uids AS uid
MATCH (node:Person|Goal|Skill|OrganisationUnit|Programme|Priority|Request|Pairing|Session|Role|Tier|Training|OnboardingStep {uid: uid})
RETURN uid, labels(node)[0] AS label
