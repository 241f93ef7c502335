/** Work that is done again and again in the background, supervised: see {@link dev.coppice.common.task.PeriodicTask}. */
@NullMarked
package dev.coppice.common.task;

import org.jspecify.annotations.NullMarked;
