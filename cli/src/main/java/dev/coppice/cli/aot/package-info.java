/**
 * What the build runs, and nobody else, so that the command starts fast: {@link dev.coppice.cli.aot.OldClassFiles} makes the jars of the
 * class path fit for the JVM's cache, {@link dev.coppice.cli.aot.TrainingRun} shows the JVM what to keep in it. A command that
 * runs without either is only slower.
 */
@NullMarked
package dev.coppice.cli.aot;

import org.jspecify.annotations.NullMarked;
