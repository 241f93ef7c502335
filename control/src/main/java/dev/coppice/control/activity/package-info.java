/**
 * Watches running computes: learns when one has been idle for its suspend timeout and suspends it, and keeps roles and
 * databases known that were changed by SQL.
 *
 * <p>What must stay true: the decision to suspend needs nothing but the compute and memory, so it works while the catalog is
 * away; an endpoint asked for after the decision's reading is not suspended on old knowledge; the watching itself is no
 * activity and is ended by a suspend like any other session.
 */
@NullMarked
package dev.coppice.control.activity;

import org.jspecify.annotations.NullMarked;
