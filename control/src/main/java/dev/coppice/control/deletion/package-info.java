/** Takes projects and branches away, by request or by the clock, and brings them back within the recovery window. */
@NullMarked
package dev.coppice.control.deletion;

import org.jspecify.annotations.NullMarked;
