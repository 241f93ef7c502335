/** Commands on the server itself: its state, its end and its log. */
@NullMarked
package dev.coppice.cli.command.server;

import org.jspecify.annotations.NullMarked;
