/** Commands on projects and on what belongs to a project or to a branch of it: roles, databases, operations, keys, addresses. */
@NullMarked
package dev.coppice.cli.command.project;

import org.jspecify.annotations.NullMarked;
