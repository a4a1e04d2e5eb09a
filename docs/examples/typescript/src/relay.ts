// The network layer of Relay: queries and mutations over HTTP, subscriptions over the WebSocket of `connect`.
import type { Client as SocketClient } from 'graphql-ws'
import { Environment, Network, Observable, RecordSource, Store, type GraphQLResponse } from 'relay-runtime'
import type { Credentials } from './client.js'

export function relayNetwork(url: string, socket: SocketClient, credentials: Credentials = async () => undefined) {
  return Network.create(
    async (request, variables) => {
      const authorization = await credentials()
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...(authorization ? { authorization } : {}),
        },
        body: JSON.stringify({ query: request.text, variables }),
      })
      return (await response.json()) as GraphQLResponse
    },
    (request, variables) =>
      Observable.create<GraphQLResponse>((sink) =>
        socket.subscribe(
          { operationName: request.name, query: request.text ?? '', variables },
          {
            next: (answer) => sink.next(answer as GraphQLResponse),
            error: (error) => sink.error(error instanceof Error ? error : new Error(JSON.stringify(error))),
            complete: () => sink.complete(),
          },
        ),
      ),
  )
}

export function relayEnvironment(url: string, socket: SocketClient, credentials?: Credentials): Environment {
  return new Environment({
    network: relayNetwork(url, socket, credentials),
    store: new Store(new RecordSource()),
  })
}
