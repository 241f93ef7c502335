/** Computes that come with a login and go by themselves: past moments of branches, and what masked roles see. */
@NullMarked
package dev.coppice.control.ephemeral;

import org.jspecify.annotations.NullMarked;
