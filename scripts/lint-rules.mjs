/** Lint rules of this house that need types or file names. Used by `eslint.config.js`. */
import { basename } from 'node:path';

/** @typedef {import('eslint').Rule.RuleModule} RuleModule */
/** @typedef {import('typescript').Type} Type */
/** @typedef {{ program: import('typescript').Program, getTypeAtLocation?: (node: import('estree').Node) => Type }} Services */

/**
 * @param {import('eslint').Rule.RuleContext} context
 * @param {import('estree').Node} node
 * @returns {string[]} names of the type and of the types that it is made of or extends
 */
function typeNames(context, node) {
  const services = /** @type {Services} */ (context.sourceCode.parserServices);
  const type = services.getTypeAtLocation?.(node);
  if (type === undefined) throw new Error('this rule needs type information');
  /** @param {Type} one @returns {string[]} */
  const names = (one) => {
    if (one.isUnionOrIntersection()) return one.types.flatMap(names);
    const own = one.getSymbol()?.getName() ?? services.program.getTypeChecker().typeToString(one);
    return [own, ...(one.getBaseTypes() ?? []).flatMap(names)];
  };
  return names(type);
}

const BYTES = ['Uint8Array', 'Buffer', 'NonSharedBuffer'];
/** @param {readonly string[]} names */
const areBytes = (names) => names.some((name) => BYTES.includes(name));
/** @param {readonly string[]} names */
const areBuffers = (names) => names.length > 0 && names.every((name) => name === 'ArrayBuffer' || name === 'SharedArrayBuffer');

/**
 * V8 keeps typed arrays of up to 64 bytes inside its own heap and copies them, so wiping one wipes one copy. In folders
 * that hold keys and plaintext, bytes are allocated as `new Uint8Array(new ArrayBuffer(n))`, and copies are made into such.
 * @type {RuleModule}
 */
const offHeapBytes = {
  meta: { type: 'problem', schema: [], messages: { heap: '{{what}} may put secret bytes inside the JavaScript heap: {{instead}}' } },
  create(context) {
    /** @param {import('estree').Node} node @param {string} what @param {string} instead */
    const report = (node, what, instead) => context.report({ node, messageId: 'heap', data: { what, instead } });
    return {
      NewExpression(node) {
        const [first] = node.arguments;
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'Uint8Array' || first === undefined) return;
        if (areBuffers(typeNames(context, first))) return;
        report(node, '`new Uint8Array` of a length or a copy', 'give it `new ArrayBuffer(length)`, then `set`');
      },
      CallExpression(node) {
        if (node.callee.type !== 'MemberExpression' || node.callee.property.type !== 'Identifier') return;
        const { object, property } = node.callee;
        const [first] = node.arguments;
        if (object.type === 'Identifier' && object.name === 'Buffer') {
          const allowed = ['isBuffer', 'isEncoding', 'byteLength', 'compare'].includes(property.name);
          const view = property.name === 'from' && first !== undefined && areBuffers(typeNames(context, first));
          if (!allowed && !view) report(node, `\`Buffer.${property.name}\``, 'view an `ArrayBuffer` of its own');
        } else if (object.type === 'Identifier' && object.name === 'Uint8Array') {
          if (property.name === 'from' && first !== undefined && areBytes(typeNames(context, first))) report(node, '`Uint8Array.from` of bytes', '`set` into an `ArrayBuffer` of its own');
        } else if (['slice', 'toString', 'toReversed', 'toSorted', 'with'].includes(property.name) && areBytes(typeNames(context, object))) {
          report(node, `\`.${property.name}\` of bytes`, 'use `subarray`, or `set` into an `ArrayBuffer` of its own');
        }
      },
    };
  },
};

/** @type {RuleModule} */
const kebabFile = {
  meta: { type: 'suggestion', schema: [], messages: { name: 'file names are kebab-case: `{{name}}`' } },
  create: (context) => ({
    Program(node) {
      const name = basename(context.filename);
      if (!/^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)+$/.test(name)) context.report({ node, messageId: 'name', data: { name } });
    },
  }),
};

/** A rule is switched off for a line only with a reason after ` -- `. @type {RuleModule} */
const reasonedDisable = {
  meta: { type: 'problem', schema: [], messages: { reason: 'say why after ` -- `', block: 'switch a rule off for one line, not for a stretch' } },
  create: (context) => ({
    Program() {
      for (const comment of context.sourceCode.getAllComments()) {
        const text = comment.value.trim();
        if (!text.startsWith('eslint-disable') || comment.loc === null || comment.loc === undefined) continue;
        if (!/^eslint-disable-(?:next-)?line /.test(text)) context.report({ loc: comment.loc, messageId: 'block' });
        else if (!/ -- \S/.test(text)) context.report({ loc: comment.loc, messageId: 'reason' });
      }
    },
  }),
};

export const house = { rules: { 'off-heap-bytes': offHeapBytes, 'kebab-file': kebabFile, 'reasoned-disable': reasonedDisable } };
