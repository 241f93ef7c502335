package dev.coppice.bench;

import java.nio.file.Path;

/**
 * What a measurement works with.
 *
 * @param work a directory that is deleted after the run
 */
record Stage(Arguments arguments, CoppiceServer coppice, Vanilla vanilla, Report report, Path work) {}
