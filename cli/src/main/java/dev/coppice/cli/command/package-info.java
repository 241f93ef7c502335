/** What commands share: the options that all of them take, and how branches and points in time are named. */
@NullMarked
package dev.coppice.cli.command;

import org.jspecify.annotations.NullMarked;
