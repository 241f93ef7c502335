/**
 * What the catalog of a database says about a relation, as far as its pages need it: columns and their types.
 *
 * <p>What must stay true: a {@link dev.coppice.masking.layout.RelationLayout} describes the relation at the WAL position of the pages
 * that it is used for. Whoever reads the catalog makes it.
 */
@NullMarked
package dev.coppice.masking.layout;

import org.jspecify.annotations.NullMarked;
