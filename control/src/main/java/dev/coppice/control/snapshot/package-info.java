/** Snapshots of branches: taken by request or by schedule, and restored. */
@NullMarked
package dev.coppice.control.snapshot;

import org.jspecify.annotations.NullMarked;
