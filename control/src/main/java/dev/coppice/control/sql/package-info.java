/**
 * SQL on a branch's compute as {@code coppice_admin}: connections over its Unix socket, what is read of its roles and
 * databases, and the statements that create and drop them. It never sends a password, only verifiers, and it does not wake
 * anything.
 */
@NullMarked
package dev.coppice.control.sql;

import org.jspecify.annotations.NullMarked;
