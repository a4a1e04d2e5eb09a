// Asks, tells and follows with several clients, against a server that may be changed: `npm run tour URL MENTEE_ID`.
// Prints as JSON what each of them got; whoever gets something else than the others fails.
import { strict as assert } from 'node:assert'
import { cacheExchange, createClient as createUrql, fetchExchange } from '@urql/core'
import { print } from 'graphql'
import { createClient as createEvents } from 'graphql-sse'
import type { GraphQLResponse, RequestParameters } from 'relay-runtime'
import { connect } from './client.js'
import {
  AskMentorDocument,
  OneThingDocument,
  RecommendedMentorsDocument,
  RegisterMentorDocument,
  WatchMentorsDocument,
  type WatchMentorsSubscription,
} from './operations.js'
import { relayNetwork } from './relay.js'

const [url, menteeId] = process.argv.slice(2)
assert(url && menteeId, 'say the URL of /graphql and the id of a mentee')

/** The mentors of an event, best first. */
const mentors = (event: WatchMentorsSubscription | null | undefined): string[] =>
  (event?.recommendationsChanged?.recommendations ?? []).map(({ mentor }) => mentor?.id ?? '')

/** Events that are waited for one by one. */
class Inbox {
  private readonly events: string[][] = []
  private readonly waiting: ((event: string[]) => void)[] = []

  put(event: string[]): void {
    const first = this.waiting.shift()
    if (first) first(event)
    else this.events.push(event)
  }

  async next(): Promise<string[]> {
    return this.events.shift() ?? new Promise((resolve) => this.waiting.push(resolve))
  }
}

const { apollo, socket, close } = connect(url)
const variables = { menteeId, first: 100 }

// Asking.
const listed = await apollo.query({ query: RecommendedMentorsDocument, variables })
const edges = listed.data?.recommendMentors?.edges ?? []
const before = edges.map(({ node }) => node?.mentor?.id ?? '')
assert(before.length > 0)
const urql = createUrql({ url, exchanges: [cacheExchange, fetchExchange], fetchSubscriptions: true, preferGetMethod: false })
const again = await urql.query(RecommendedMentorsDocument, variables).toPromise()
assert.deepEqual(again.data?.recommendMentors?.edges.map(({ node }) => node?.mentor?.id), before)
const relay = relayNetwork(url, socket)
/** What relay-compiler writes for an operation. */
const compiled = (name: string, operationKind: 'query' | 'subscription', text: string): RequestParameters => ({
  id: null, cacheID: name, metadata: {}, name, operationKind, providedVariables: {}, text,
})
const forRelay = compiled('RecommendedMentors', 'query', print(RecommendedMentorsDocument))
const overRelay = await relay.execute(forRelay, variables, { force: true }).toPromise()
assert.deepEqual(overRelay && 'data' in overRelay && overRelay.data?.['recommendMentors'].edges.length, before.length)
const person = await apollo.query({ query: OneThingDocument, variables: { id: menteeId } })
assert(person.data?.node?.__typename === 'Person' && person.data.node.roles.includes('MENTEE'))

// Following, in five ways.
const inboxes = {
  apollo: new Inbox(),
  urql: new Inbox(),
  relay: new Inbox(),
  'graphql-ws': new Inbox(),
  'graphql-sse': new Inbox(),
}
const ends: (() => void)[] = []
const watched = apollo.subscribe({ query: WatchMentorsDocument, variables })
const apolloSubscription = watched.subscribe(({ data }) => inboxes.apollo.put(mentors(data)))
ends.push(() => apolloSubscription.unsubscribe())
const { unsubscribe } = urql
  .subscription(WatchMentorsDocument, variables)
  .subscribe(({ data }) => inboxes.urql.put(mentors(data)))
ends.push(unsubscribe)
const watching = compiled('WatchMentors', 'subscription', print(WatchMentorsDocument))
const relaySubscription = relay.execute(watching, variables, { force: true }).subscribe({
  next: (event: GraphQLResponse) => inboxes.relay.put(mentors((event as { data?: WatchMentorsSubscription }).data)),
})
ends.push(() => relaySubscription.unsubscribe())
const sink = (inbox: Inbox) => ({
  next: ({ data }: { data?: WatchMentorsSubscription | null }) => inbox.put(mentors(data)),
  error: (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
  complete: () => {},
})
const events = createEvents({ url })
const asText = { query: print(WatchMentorsDocument), variables }
ends.push(socket.subscribe<WatchMentorsSubscription>(asText, sink(inboxes['graphql-ws'])))
ends.push(events.subscribe<WatchMentorsSubscription>(asText, sink(inboxes['graphql-sse'])))
for (const inbox of Object.values(inboxes)) assert.deepEqual(await inbox.next(), before)

// Telling: a mentor joins, and all who follow hear of it.
const joined = await apollo.mutate({
  mutation: RegisterMentorDocument,
  variables: { input: { name: 'Thea Tour', roles: ['MENTOR'], consents: ['MATCHING'], consentTextVersion: '1' } },
})
assert.deepEqual(joined.data?.registerPerson?.userErrors, [])
const mentorId = joined.data?.registerPerson?.person?.id ?? ''
for (const inbox of Object.values(inboxes)) {
  const after = await inbox.next()
  assert.deepEqual(after.filter((id) => !before.includes(id)), [mentorId])
}
// The same again with its key gets the first answer; without that key it is a second request, which is refused.
const ask = async (idempotencyKey: string) =>
  apollo.mutate({ mutation: AskMentorDocument, variables: { input: { menteeId, mentorId, idempotencyKey } } })
const key = crypto.randomUUID()
const first = (await ask(key)).data?.requestMentor?.request
assert(first?.state === 'REQUESTED')
assert.deepEqual((await ask(key)).data?.requestMentor?.request, first)
const refused = (await ask(crypto.randomUUID())).data?.requestMentor?.userErrors.map(({ code }) => code)

for (const end of ends) end()
events.dispose()
await close()
console.log(JSON.stringify({ followed: Object.keys(inboxes), mentors: before.length, refused }))
