/** Commands on branches: {@code branches} with its subcommands. */
@NullMarked
package dev.coppice.cli.command.branch;

import org.jspecify.annotations.NullMarked;
