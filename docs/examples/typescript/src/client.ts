// What an app needs to ask, to tell and to follow: Apollo Client with queries and mutations over HTTP and subscriptions
// over one WebSocket. In a browser leave `webSocketImpl` out.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import { createClient, type Client as SocketClient } from 'graphql-ws'
import WebSocket from 'ws'

/** A value for the Authorization header, fetched anew whenever a connection is made. */
export type Credentials = () => Promise<string | undefined>

export interface Client {
  apollo: ApolloClient
  socket: SocketClient
  /** Closes the connection, so that a program can end. */
  close(): Promise<void>
}

export function connect(url: string, credentials: Credentials = async () => undefined): Client {
  const socket = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    lazy: true,
    retryAttempts: Infinity, // a server that restarts closes with 1001; each subscription then begins with how things stand
    keepAlive: 30_000,
    connectionParams: async () => {
      const authorization = await credentials()
      return authorization ? { authorization } : {}
    },
  })
  const http = new HttpLink({
    uri: url,
    fetch: async (input, options) => {
      const headers = new Headers(options?.headers)
      const authorization = await credentials()
      if (authorization) headers.set('authorization', authorization)
      return fetch(input, { ...options, headers })
    },
  })
  const apollo = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      http,
    ),
    cache: new InMemoryCache(), // ids are global, so the cache needs no further settings
  })
  return {
    apollo,
    socket,
    async close() {
      apollo.stop()
      await socket.dispose()
    },
  }
}
