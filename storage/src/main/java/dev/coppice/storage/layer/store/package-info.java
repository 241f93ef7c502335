/**
 * The port behind which layers and manifests are kept, its adapter for a local directory, and what a manifest says.
 *
 * <p>What must stay true: a layer is whole before a manifest names it; a manifest is replaced by compare-and-set on its version. Nobody but
 * this package implements the port.
 */
@NullMarked
package dev.coppice.storage.layer.store;

import org.jspecify.annotations.NullMarked;
