/** A connection string of the API taken apart; names and password decoded. */
interface Parts {
  text: string;
  user: string;
  password: string;
  host: string;
  port: string;
  database: string;
  query: string;
  options: string;
}

function parts(text: string): Parts {
  // Browsers take apart only the schemes they know.
  const url = new URL(text.replace(/^postgres(ql)?:/, 'http:'));
  return {
    text,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    host: url.hostname,
    port: url.port || (text.startsWith('postgres') && /:80\//.test(text) ? '80' : '5432'),
    database: decodeURIComponent(url.pathname.slice(1)),
    query: url.search.slice(1),
    options: decodeURIComponent(/(?:^|&)options=([^&]*)/.exec(url.search.slice(1))?.[1] ?? ''),
  };
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A value of a properties file. */
function property(text: string): string {
  return text.replaceAll('\\', '\\\\');
}

function jdbc(of: Parts): string {
  return `jdbc:postgresql://${of.host}:${of.port}/${encodeURIComponent(of.database)}${of.query ? `?${of.query}` : ''}`;
}

/** The forms in which the command line prints it, too. */
export const FORMATS: Record<string, { label: string; of: (parts: Parts) => string }> = {
  uri: { label: 'URI', of: (of) => of.text },
  psql: { label: 'psql', of: (of) => `psql ${quoted(of.text)}` },
  jdbc: { label: 'JDBC', of: (of) => `${jdbc(of)}${of.query ? '&' : '?'}user=${encodeURIComponent(of.user)}&password=${encodeURIComponent(of.password)}` },
  spring: {
    label: 'Spring',
    of: (of) =>
      `spring.datasource.url=${property(jdbc(of))}\nspring.datasource.username=${property(of.user)}\nspring.datasource.password=${property(of.password)}`,
  },
  prisma: { label: 'Prisma', of: (of) => `DATABASE_URL="${of.text}"` },
  env: {
    label: '.env',
    of: (of) =>
      [
        `PGHOST=${quoted(of.host)}`,
        `PGPORT=${of.port}`,
        `PGDATABASE=${quoted(of.database)}`,
        `PGUSER=${quoted(of.user)}`,
        `PGPASSWORD=${quoted(of.password)}`,
        ...(of.options ? [`PGOPTIONS=${quoted(of.options)}`] : []),
      ].join('\n'),
  },
};

/** The string in one of the forms. */
export function formatted(connectionString: string, format: string): string {
  const known = FORMATS[format];
  return known ? known.of(parts(connectionString)) : connectionString;
}
