// Shows GraphiQL on the endpoint beside it; a token goes into its headers editor.
const fetcher = GraphiQL.createFetcher({ url: "/graphql" });
const place = document.getElementById("graphiql");
ReactDOM.createRoot(place).render(React.createElement(GraphiQL, { fetcher }));
