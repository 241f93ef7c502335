/**
 * The sandbox that every Postgres runs in: what the kernel offers, what a program may do, and the command that starts it so.
 * {@code docs/decisions/046} has the reasons.
 */
@NullMarked
package dev.coppice.compute.sandbox;

import org.jspecify.annotations.NullMarked;
