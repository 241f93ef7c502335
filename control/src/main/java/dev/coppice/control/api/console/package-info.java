/** The console's files: what a browser loads before it asks the API for anything. */
@NullMarked
package dev.coppice.control.api.console;

import org.jspecify.annotations.NullMarked;
