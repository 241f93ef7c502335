/**
 * The words every module shares: identifiers, {@link dev.coppice.common.Lsn}, SQLSTATEs, configuration and tasks. It knows
 * nothing of the other modules and does no I/O beyond reading the configuration file.
 */
@NullMarked
package dev.coppice.common;

import org.jspecify.annotations.NullMarked;
