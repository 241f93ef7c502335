/**
 * The catalog: a small plain Postgres of the control plane's own ({@link dev.coppice.control.catalog.CatalogServer}), the
 * versioned schema in it, the rows, and their image in memory ({@link dev.coppice.control.catalog.Inventory}).
 *
 * <p>What must stay true: the inventory is changed only after the transaction that it mirrors was committed; everything
 * that routing, waking and suspending need is in the inventory, so they work while the catalog is away; {@link
 * dev.coppice.control.catalog.Catalog} needs a {@code DataSource} and nothing of the embedded server, so that it can be
 * pointed at an external Postgres. It knows nothing of storage, computes or HTTP.
 */
@NullMarked
package dev.coppice.control.catalog;

import org.jspecify.annotations.NullMarked;
