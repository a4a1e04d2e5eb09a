// Writes src/operations.ts: each operation of ../../front-end.md with the types of its variables and its data.
import { readFileSync, writeFileSync } from 'node:fs'
import { codegen } from '@graphql-codegen/core'
import * as operations from '@graphql-codegen/typescript-operations'
import * as documents from '@graphql-codegen/typed-document-node'
import { buildSchema, parse } from 'graphql'

const [page, schema, output] = ['../../front-end.md', '../../../schema.graphql', 'src/operations.ts'].map((path, place) =>
  process.argv[2 + place] ?? new URL(path, import.meta.url),
)
const blocks = [...readFileSync(page, 'utf8').matchAll(/^```graphql\n(.*?)^```$/gms)].map((match) => match[1])
const schemaAst = buildSchema(readFileSync(schema, 'utf8'))
const written = await codegen({
  schema: parse(readFileSync(schema, 'utf8')),
  schemaAst,
  documents: blocks.map((text, place) => ({ location: `block ${place + 1}`, document: parse(text) })),
  filename: 'operations.ts',
  config: {
    useTypeImports: true,
    enumType: 'string-literal',
    scalars: { ID: 'string', DateTime: 'string' },
    strictScalars: true,
    dedupeFragments: true,
  },
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { operations, documents },
})
writeFileSync(output, '// Written by `npm run generate` from docs/front-end.md and schema.graphql.\n' + written)
