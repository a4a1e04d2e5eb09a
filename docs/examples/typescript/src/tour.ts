// Asks, tells and follows with several clients, against a server that may be changed: `npm run tour URL MENTEE_ID`.
// Prints as JSON what each of them got; whoever gets something else than the others fails.
import { strict as assert } from 'node:assert'
import { cacheExchange, createClient as createUrql, fetchExchange } from '@urql/core'
import { print } from 'graphql'
import { createClient as createEvents } from 'graphql-sse'
import { connect } from './client.js'
import {
  AskMentorDocument,
  OneThingDocument,
  RecommendedMentorsDocument,
  RegisterMentorDocument,
  WatchMentorsDocument,
  type WatchMentorsSubscription,
} from './operations.js'

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
const person = await apollo.query({ query: OneThingDocument, variables: { id: menteeId } })
assert(person.data?.node?.__typename === 'Person' && person.data.node.roles.includes('MENTEE'))

// Following, in four ways.
const inboxes = { apollo: new Inbox(), urql: new Inbox(), 'graphql-ws': new Inbox(), 'graphql-sse': new Inbox() }
const ends: (() => void)[] = []
const watched = apollo.subscribe({ query: WatchMentorsDocument, variables })
const apolloSubscription = watched.subscribe(({ data }) => inboxes.apollo.put(mentors(data)))
ends.push(() => apolloSubscription.unsubscribe())
const { unsubscribe } = urql
  .subscription(WatchMentorsDocument, variables)
  .subscribe(({ data }) => inboxes.urql.put(mentors(data)))
ends.push(unsubscribe)
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
const asking = { mutation: AskMentorDocument, variables: { input: { menteeId, mentorId, note: 'Could we meet?' } } }
const asked = await apollo.mutate(asking)
assert(asked.data?.requestMentor?.request?.state === 'REQUESTED')
const refused = await apollo.mutate(asking)
assert.deepEqual(refused.data?.requestMentor?.request, null)
const codes = refused.data?.requestMentor?.userErrors.map(({ code }) => code)

for (const end of ends) end()
events.dispose()
await close()
console.log(JSON.stringify({ followed: Object.keys(inboxes), before: before.length, joined: mentorId, refused: codes }))
