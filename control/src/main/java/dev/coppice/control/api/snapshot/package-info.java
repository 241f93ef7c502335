/** Routes of snapshots and their schedules. */
@NullMarked
package dev.coppice.control.api.snapshot;

import org.jspecify.annotations.NullMarked;
