/** What the catalog keeps, one record a kind of thing, without a word of SQL. */
@NullMarked
package dev.coppice.control.catalog.model;

import org.jspecify.annotations.NullMarked;
