/** Whose work is in the program; made by the build (`scripts/licences.mjs`). */
declare module 'virtual:licences' {
  export const packages: readonly { readonly name: string; readonly version: string; readonly licence: string; readonly text: number }[];
  /** Empty where the package brings none. */
  export const texts: readonly string[];
}
