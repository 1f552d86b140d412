import { parseAst } from 'vitest/node';

/** One file of TypeScript, as far as the rules of the house look at it. Lines count from 1. */
export interface Source {
  /** Below the repository's root, with slashes. */
  path: string;
  text: string;
  lines: number;
  /** `names`: what it takes of the module, `*` where it takes the whole. `from` is `?` where it is worked out. */
  imports: { from: string; line: number; isType: boolean; names: string[] }[];
  /** `ownLines`: without those of the functions inside. */
  functions: { name: string; line: number; lines: number; ownLines: number }[];
  /** What it takes from the names in `watched`: `process.env`, `it.only`; the bare name where it takes the whole. */
  uses: { name: string; line: number }[];
  /** Where the type that switches checking off stands. */
  anys: number[];
}

const callers = new Set(['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'globalThis', 'require', 'eval']);
const watched = new Set(['process', 'console', 'it', 'test', 'describe', ...callers]);
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

export function readSource(path: string, text: string): Source {
  const source: Source = {
    path,
    text,
    lines: lineAt(text, text.trimEnd().length),
    imports: [],
    functions: [],
    uses: [],
    anys: [],
  };
  const program: unknown = parseAst(text, { lang: path.endsWith('.ts') ? 'ts' : 'js' });
  visit(program, null, (node, parent) => note(source, node, parent));
  return source;
}

function note(source: Source, node: Node, parent: Node | null): void {
  const line = lineAt(source.text, node.start);
  if (functionTypes.has(node.type)) source.functions.push(measure(source.text, node, parent));
  if (node.type === 'TSAnyKeyword') source.anys.push(line);
  // Imports, exports from elsewhere, import() and import types all name their module so.
  if (isNode(node['source']) && typeof node['source']['value'] === 'string') {
    source.imports.push({
      from: node['source']['value'],
      line,
      isType: isTypeImport(node),
      names: importedNames(node),
    });
  } else if (node.type === 'ImportExpression') {
    source.imports.push({ from: '?', line, isType: false, names: ['*'] });
  }
  if (node.type === 'Identifier' && watched.has(String(node['name']))) {
    const name = usedName(node, parent);
    if (name !== null) source.uses.push({ name, line });
  }
}

function measure(text: string, node: Node, parent: Node | null): Source['functions'][number] {
  const lines = linesOf(text, node);
  const inner: Node[] = [];
  visit(Object.values(node), node, (each) => {
    const isInside = inner.some(({ start, end }) => each.start >= start && each.end <= end);
    if (functionTypes.has(each.type) && !isInside) inner.push(each);
  });
  // A function of one line stands in a line of ours.
  const innerLines = inner.map((each) => linesOf(text, each) - 1).reduce((sum, each) => sum + each, 0);
  const name = [node['id'], parent?.['id'], parent?.['key']].find(isNode)?.['name'];
  return {
    name: typeof name === 'string' ? name : '(anonymous)',
    line: lineAt(text, node.start),
    lines,
    ownLines: lines - innerLines,
  };
}

function linesOf(text: string, { start, end }: Node): number {
  return lineAt(text, end) - lineAt(text, start) + 1;
}

function isTypeImport(node: Node): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type' || node.type === 'TSImportType') return true;
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : [];
  return specifiers.length > 0 && specifiers.every((each) => (each['importKind'] ?? each['exportKind']) === 'type');
}

/** Without those that are types. */
function importedNames(node: Node): string[] {
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : [];
  if (specifiers.length === 0) return isTypeImport(node) ? [] : ['*'];
  return specifiers
    .filter((each) => (each['importKind'] ?? each['exportKind']) !== 'type' && !isTypeImport(node))
    .map((each) => {
      const named = each['imported'] ?? each['local'];
      const isNamed = each.type === 'ImportSpecifier' || each.type === 'ExportSpecifier';
      return isNamed && isNode(named) ? String(named['name'] ?? named['value']) : '*';
    });
}

function usedName(node: Node, parent: Node | null): string | null {
  const name = String(node['name']);
  if (callers.has(name)) {
    const isKey = parent?.['key'] === node && parent['computed'] !== true;
    const isProperty =
      parent?.type === 'MemberExpression' && parent['property'] === node && parent['computed'] !== true;
    return isKey || isProperty ? null : name;
  }
  if (parent?.type !== 'MemberExpression') return parent?.type.startsWith('Import') || name !== 'process' ? null : name;
  if (parent['object'] !== node) return null;
  const property = isNode(parent['property']) ? parent['property'] : null;
  return `${name}.${String(property?.['name'] ?? property?.['value'])}`;
}

function visit(value: unknown, parent: Node | null, see: (node: Node, parent: Node | null) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(each, parent, see);
  } else if (isNode(value)) {
    see(value, parent);
    for (const [field, each] of Object.entries(value)) if (field !== 'parent') visit(each, value, see);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
