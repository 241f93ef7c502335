/**
 * The control plane: {@link dev.coppice.control.ControlPlane} starts it and {@link dev.coppice.control.Routing} is what a
 * proxy asks. The catalog, the workflows (a package for each kind of thing), the activity monitor and the REST API are packages below;
 * {@link dev.coppice.control.Wiring} builds each of them once. Calls go from the API to the workflows to the catalog.
 *
 * <p>What must stay true: routing, waking and suspending are answered from memory and survive the catalog being away. It
 * knows storage and computes by their public classes only, and nothing of the proxy.
 */
@NullMarked
package dev.coppice.control;

import org.jspecify.annotations.NullMarked;
