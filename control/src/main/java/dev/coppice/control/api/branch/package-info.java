/** Routes of branches, and of the endpoints, roles, databases and schemas in them. */
@NullMarked
package dev.coppice.control.api.branch;

import org.jspecify.annotations.NullMarked;
