/**
 * Whole-system measurements against vanilla Postgres in one run, on the same machine, with the same binaries. It talks to
 * Coppice as a user does (launcher, REST API, Postgres protocol) and knows nothing of its insides; only {@link
 * dev.coppice.bench.RandomPages} opens the page service itself, to measure it without a compute.
 */
@NullMarked
package dev.coppice.bench;

import org.jspecify.annotations.NullMarked;
