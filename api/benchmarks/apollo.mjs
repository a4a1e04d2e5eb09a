// Apollo Server answers one list: node apollo.mjs FOLDER DESCRIPTOR DATA, where FOLDER holds @apollo/server and graphql
// as npm installs them, DESCRIPTOR is the number of a listening socket, and DATA holds the schema and the list as JSON.
import { createRequire } from "node:module";
import path from "node:path";

const [folder, descriptor, data] = process.argv.slice(2);
const require = createRequire(path.resolve(folder, "package.json"));
const { ApolloServer } = require("@apollo/server");
const { startStandaloneServer } = require("@apollo/server/standalone");
const { schema, mentors } = JSON.parse(data);

const server = new ApolloServer({ typeDefs: schema, resolvers: { Query: { mentors: async () => mentors } } });
await startStandaloneServer(server, { listen: { fd: Number(descriptor) } });
