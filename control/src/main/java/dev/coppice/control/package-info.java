/**
 * The control plane: {@link dev.coppice.control.CoppiceControl} starts it and {@link dev.coppice.control.Routing} is what a
 * proxy asks. The catalog, the workflows, the activity monitor and the REST API are packages below.
 *
 * <p>What must stay true: routing, waking and suspending are answered from memory and survive the catalog being away. It
 * knows storage and computes by their public classes only, and nothing of the proxy.
 */
@NullMarked
package dev.coppice.control;

import org.jspecify.annotations.NullMarked;
