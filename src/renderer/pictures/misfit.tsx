/** Two records whose seams do not meet. */
export function Misfit({ found, intact }: { readonly found: string; readonly intact: string | undefined }) {
  return (
    <svg role="img" aria-label={`${found} does not fit what came before it`} viewBox="0 0 344 140" className="edge block w-full rounded-card bg-raised text-[12px]">
      <path d="M18 18H322V56H264L258 42H194L187 62H121L114 48H60L53 56H18z" className="fill-transparent stroke-danger" strokeWidth="1.5" />
      <text x="30" y="38" className="fill-fg-2">{found}, found</text>
      <path d="M18 74H54L62 88H114L122 70H176L186 94H250L258 80H322V122H18z" className="fill-line-2" />
      <text x="30" y="112" className="fill-fg-2">{intact === undefined ? 'what came before' : `${intact}, intact`}</text>
    </svg>
  );
}
