// Reads what an older or a newer server sends, as this page knows it (ADR 48).
//
// The rules are those of `jupyter_oidc/contract/reader.py`, and the same fixtures prove both: a member that the contract
// does not list is left out; a word that an enumeration does not list becomes `other`, and stays in `unknown_words`
// beside it; a member that came after others is filled in where an older server does not send it.
// Everything else has to match, which the generated validators check afterwards.

/** What this page knows of a part of a reply; generated from the contract. */
export interface IShape {
  readonly members?: Readonly<Record<string, IShape>>;
  readonly items?: IShape;
  readonly words?: readonly string[];
  /** The value where an older server does not send it. */
  readonly absent?: unknown;
}

/** What stands in the place of a word that this page does not know. */
export const OTHER = 'other';

const MAX_WORD_CHARACTERS = 64; // of an unknown word, since it may be shown

/** What this page knows of `value`. */
export function known(shape: IShape, value: unknown): unknown {
  return Private.part(shape, value, {}, '');
}

/** The word that the server wrote for `member`, also one that is not known here; `null` for none. */
export function wordIn(
  message: { readonly unknown_words?: Readonly<Record<string, string>> },
  member: string
): string | null {
  const word = (message as Readonly<Record<string, unknown>>)[member];
  return word === OTHER ? (message.unknown_words?.[member] ?? null) : typeof word === 'string' ? word : null;
}

namespace Private {
  type Words = Record<string, string>;

  export function part(shape: IShape, value: unknown, unknown: Words, where: string): unknown {
    const { members: listed, items, words } = shape;
    if (listed && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return members(listed, value as Readonly<Record<string, unknown>>);
    }
    if (items && Array.isArray(value)) {
      return value.map((item, index) => part(items, item, unknown, `${where}.${index}`));
    }
    if (words && typeof value === 'string' && !words.includes(value)) {
      unknown[where] = value.slice(0, MAX_WORD_CHARACTERS);
      return OTHER;
    }
    return value;
  }

  function members(
    listed: Readonly<Record<string, IShape>>,
    value: Readonly<Record<string, unknown>>
  ): Record<string, unknown> {
    const unknown: Words = {};
    const read: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(listed)) {
      if (Object.prototype.hasOwnProperty.call(value, name)) {
        read[name] = part(shape, value[name], unknown, name);
      } else if ('absent' in shape) {
        read[name] = shape.absent;
      }
    }
    return Object.keys(unknown).length > 0 ? { ...read, unknown_words: unknown } : read;
  }
}
