/** What a person or a script sees: tables, JSON and YAML, progress, errors with their hints, and how times and sizes are written. */
@NullMarked
package dev.coppice.cli.output;

import org.jspecify.annotations.NullMarked;
