package dev.coppice.control.catalog;

/**
 * Is told before and after every step that outlives the process. A test ends the program at one of them; the product does
 * nothing there.
 */
public interface Steps {
    /** Nobody listens. */
    Steps NONE = () -> {};

    /** What is thrown here ends the operation as a kill would: only an {@link Error} passes what undoes it. */
    void between();
}
