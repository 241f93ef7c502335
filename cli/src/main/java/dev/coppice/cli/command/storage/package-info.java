/** Commands on what branches store. */
@NullMarked
package dev.coppice.cli.command.storage;

import org.jspecify.annotations.NullMarked;
