/** What every HTTP server of the process has in common: its limits, and what is refused before a handler is asked. */
@NullMarked
package dev.coppice.common.http;

import org.jspecify.annotations.NullMarked;
