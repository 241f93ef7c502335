/** Commands on snapshots and their schedules. */
@NullMarked
package dev.coppice.cli.command.snapshot;

import org.jspecify.annotations.NullMarked;
