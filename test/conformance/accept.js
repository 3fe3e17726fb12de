// Reads NDJSON files of resources, named on the command line, and asks two validators by others about each line: npm
// `fhir` (the definitions of R4; an unknown element is an error) and `@solarahealth/fhir-r4` (its zod schemas). Prints
// one line of JSON for each file: {file, lines, fhir: {refused, warned, examples}, solarahealth: {refused, examples}}.
'use strict'
const fs = require('fs')
const readline = require('readline')
const schemas = require('@solarahealth/fhir-r4')
const { Fhir } = require('fhir')

const fhir = new Fhir()
const made = new Map()

function schema(type) {
  if (!made.has(type)) made.set(type, schemas[`create${type}Schema`]())
  return made.get(type)
}

function byFhir(resource, said) {
  const { valid, messages } = fhir.validate(resource, { errorOnUnexpected: true })
  const wrong = messages.filter((m) => m.severity === 'error' || m.severity === 'fatal')
  if (!valid || wrong.length > 0) note(said, wrong.map((m) => `${m.location}: ${m.message}`).join('; '))
  else if (messages.some((m) => m.severity === 'warning')) said.warned++
}

function bySolara(resource, said) {
  const { success, error } = schema(resource.resourceType).safeParse(resource)
  if (!success) note(said, error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; '))
}

function note(said, text) {
  said.refused++
  if (said.examples.length < 5) said.examples.push(text.slice(0, 500))
}

async function accept(file) {
  const said = { file, lines: 0, fhir: { refused: 0, warned: 0, examples: [] }, solarahealth: { refused: 0, examples: [] } }
  for await (const line of readline.createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity })) {
    if (line === '') continue
    said.lines++
    for (const [name, by] of [['fhir', byFhir], ['solarahealth', bySolara]]) {
      try {
        by(JSON.parse(line), said[name])
      } catch (e) {
        note(said[name], `${e}`)
      }
    }
  }
  console.log(JSON.stringify(said))
}

;(async () => {
  for (const file of process.argv.slice(2)) await accept(file)
})()
