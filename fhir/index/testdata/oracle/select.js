// Evaluates HL7's own search expressions with fhirpath.js. Arguments: the file of SearchParameters as NDJSON. Standard
// input: resources as NDJSON. Output: for each resource one line
//   {"plain": {param: [[type, value], ...]}, "tuples": {param: [[[[type, value], ...] of each part], ...]}, "errors": {param: why}}
// Numbers come as strings that begin with U+0001, so that no digit is lost.
const fs = require('fs');
const readline = require('readline');
const fhirpath = require('fhirpath');
const model = require('fhirpath/fhir-context/r4');

let current; // the resource that is being looked at

function targetType(reference) {
  const text = reference.reference || '';
  if (text.startsWith('#')) {
    if (text === '#') return current.resourceType;
    const found = (current.contained || []).find(c => c.id === text.slice(1));
    if (found) return found.resourceType;
  }
  const match = /^(?:https?:\/\/[^?#]+\/)?([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(text);
  const asked = /^([A-Z][A-Za-z]+)\?/.exec(text);
  if (match) return match[1];
  if (asked) return asked[1];
  return reference.type;
}

const options = {
  resolveInternalTypes: false,
  userInvocationTable: {
    resolve: { // nothing is fetched: a stand-in of the type that the reference tells
      fn: inputs => inputs.flatMap(r => {
        const type = targetType(r.data || {});
        return type ? [r.constructor.makeResNode(r.ctx, {resourceType: type}, null, type, null, type)] : [];
      }),
      arity: {0: []},
      internalStructures: true,
    },
  },
};

// What fhirpath.js cannot evaluate as HL7 wrote it: "as" on several values, which today's FHIRPath refuses and which means
// ofType() here; and the type DateTime of code-value-date, which is dateTime.
function mend(expression) {
  return expression.replace(/\(([\w.]+) as (\w+)\)/g, '($1.ofType($2))').replace(/\.as\(/g, '.ofType(').replace(/\bDateTime\b/g, 'dateTime');
}
function compile(expression) {
  if (typeof expression === 'string') return fhirpath.compile(mend(expression), model, options);
  return fhirpath.compile({base: expression.base, expression: mend(expression.expression)}, model, options);
}

const byType = {};
for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (!line) continue;
  const p = JSON.parse(line);
  if (/extensions-|genetic-|^example/.test(p.id)) continue; // not of the core
  if (p.expression) for (const base of p.base) (byType[base] ??= []).push(p);
}

const cache = new Map();
function compiled(key, make) {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key);
}

function nodes(found) {
  const types = fhirpath.types(found);
  const all = [];
  found.forEach((node, i) => {
    const value = node !== null && typeof node === 'object' && 'data' in node ? node.data : node;
    if (value !== undefined && value !== null) all.push([types[i].replace(/^.*\./, ''), value]);
  });
  return all;
}

function look(resource) {
  current = resource;
  const out = {plain: {}, tuples: {}, errors: {}};
  const params = [...(byType.Resource || []), ...(byType.DomainResource || []), ...(byType[resource.resourceType] || [])];
  for (const p of params) {
    try {
      if (p.type !== 'composite') {
        const all = nodes(compiled(p.expression, () => compile(p.expression))(resource, {resource}));
        (out.plain[p.code] ??= []).push(...all);
        continue;
      }
      for (const base of p.expression.split('|').map(s => s.trim())) {
        if (base.split('.')[0] !== resource.resourceType) continue;
        for (const [, element] of nodes(compiled(base, () => compile(base))(resource, {resource}))) {
          const parts = p.component.map(c => {
            const at = base.includes('.') ? {base, expression: c.expression} : c.expression;
            return nodes(compiled(JSON.stringify(at), () => compile(at))(element, {resource}));
          });
          (out.tuples[p.code] ??= []).push(parts);
        }
      }
    } catch (e) {
      out.errors[p.code] = String(e.message || e);
    }
  }
  return out;
}

const number = /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;
const lines = readline.createInterface({input: process.stdin, crlfDelay: Infinity});
lines.on('line', line => {
  const marked = line.replace(number, (all, text) => text !== undefined ? text : '"\\u0001' + all + '"');
  process.stdout.write(JSON.stringify(look(JSON.parse(marked))) + '\n');
});
