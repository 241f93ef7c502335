/** Commands on computes, and those that connect to one. */
@NullMarked
package dev.coppice.cli.command.compute;

import org.jspecify.annotations.NullMarked;
