/** The ids of what the catalog keeps, and the rules that names must meet. */
@NullMarked
package dev.coppice.control.id;

import org.jspecify.annotations.NullMarked;
