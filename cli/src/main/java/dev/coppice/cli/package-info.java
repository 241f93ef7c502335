/**
 * The {@code coppice} command: a thin client of the REST API, with the nouns and verbs of Neon's own command where they
 * exist. What must stay true: JSON output is the API's objects unchanged; errors go to standard error as one line and a
 * hint; the exit code is 0 done, 1 refused by the server, 2 wrong usage, 3 no server. It must not know the server's
 * classes: only the API, and where the server leaves {@code cli.json}.
 */
@NullMarked
package dev.coppice.cli;

import org.jspecify.annotations.NullMarked;
