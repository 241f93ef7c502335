/** The roles and databases of branches, and their passwords. */
@NullMarked
package dev.coppice.control.role;

import org.jspecify.annotations.NullMarked;
