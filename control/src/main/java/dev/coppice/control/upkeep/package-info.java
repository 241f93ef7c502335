/** What runs by itself: at a start, what was interrupted; then, each second, what is due. */
@NullMarked
package dev.coppice.control.upkeep;

import org.jspecify.annotations.NullMarked;
