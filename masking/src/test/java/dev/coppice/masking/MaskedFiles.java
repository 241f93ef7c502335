package dev.coppice.masking;

import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PageChecksum;
import dev.coppice.masking.page.HeapPageMasker;
import dev.coppice.masking.page.TransactionStatus;
import dev.coppice.masking.rule.MaskPlan;
import dev.coppice.masking.rule.MaskingRule;
import dev.coppice.masking.rule.PlanBuilder;
import dev.coppice.masking.rule.TableDefinition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Masks the heap files of a stopped server, as a page service would mask the pages on their way. */
public final class MaskedFiles {
    public static final int PAGE = 8192;
    public static final MaskKey KEY =
            new MaskKey("test", "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

    private MaskedFiles() {}

    /**
     * Stops the server, masks the tables that the rules name, scans the files for the word canary, starts the server and rebuilds
     * the indexes of the tables.
     *
     * @param rules {@code table.column} to function
     * @return the plan
     */
    public static MaskPlan apply(ScratchPostgres server, List<String> tables, Map<String, String> rules)
            throws Exception {
        return apply(server, tables, rules, false);
    }

    /** As the other, with blanked TOAST tables if asked for. */
    public static MaskPlan apply(
            ScratchPostgres server, List<String> tables, Map<String, String> rules, boolean blankToast)
            throws Exception {
        List<MaskingRule> all = new ArrayList<>();
        rules.forEach((column, function) -> {
            int dot = column.indexOf('.');
            all.add(new MaskingRule("public", column.substring(0, dot), column.substring(dot + 1), function));
        });
        LayoutReader reader = new LayoutReader(server);
        List<TableDefinition> definitions = new ArrayList<>();
        Map<TableDefinition, Path> files = new LinkedHashMap<>();
        List<Path> toastFiles = new ArrayList<>();
        for (String table : tables) {
            TableDefinition definition = reader.table(table);
            definitions.add(definition);
            files.put(definition, server.data().resolve(server.query("select pg_relation_filepath('" + table + "')")));
            for (String toast : server.column("select pg_relation_filepath(reltoastrelid) from pg_class where oid = '"
                    + table + "'::regclass and reltoastrelid <> 0")) {
                toastFiles.add(server.data().resolve(toast));
            }
        }
        MaskPlan plan = PlanBuilder.build(all, definitions, PlanBuilder.Policy.SHOW_UNDECLARED, KEY.id());
        server.execute("checkpoint");
        server.stop();
        for (Map.Entry<TableDefinition, Path> each : files.entrySet()) {
            if (plan.table(each.getKey().layout().oid()).isPresent()) {
                mask(plan.masker(each.getKey().layout().oid(), KEY, TransactionStatus.UNKNOWN, true), each.getValue());
            }
        }
        if (blankToast) {
            for (Path file : toastFiles) {
                blankToast(file);
            }
        }
        server.start();
        for (String table : tables) {
            server.execute("reindex table " + table);
        }
        return plan;
    }

    private static void mask(HeapPageMasker masker, Path file) throws IOException {
        byte[] original = Files.readAllBytes(file);
        byte[] masked = new byte[original.length];
        for (int block = 0; block < original.length / PAGE; block++) {
            byte[] page = Arrays.copyOfRange(original, block * PAGE, (block + 1) * PAGE);
            byte[] untouched = page.clone();
            if (LittleEndian.u16(page, 14) != 0 && PageChecksum.of(page, block) != LittleEndian.u16(page, 8)) {
                throw new IllegalStateException("the checksum of the server is another");
            }
            System.arraycopy(masker.mask(page, block), 0, masked, block * PAGE, PAGE);
            if (!Arrays.equals(page, untouched)) {
                throw new IllegalStateException("the page was changed in place");
            }
        }
        if (contains(masked, "canary")) {
            throw new AssertionError("an original value is in a masked page of " + file.getFileName());
        }
        Files.write(file, masked);
    }

    private static void blankToast(Path file) throws IOException {
        byte[] original = Files.readAllBytes(file);
        dev.coppice.masking.page.ToastPageMasker masker = new dev.coppice.masking.page.ToastPageMasker(true);
        byte[] masked = new byte[original.length];
        for (int block = 0; block < original.length / PAGE; block++) {
            byte[] page = Arrays.copyOfRange(original, block * PAGE, (block + 1) * PAGE);
            System.arraycopy(masker.mask(page, block, value -> false), 0, masked, block * PAGE, PAGE);
        }
        Files.write(file, masked);
    }

    /** Whether bytes hold a text, in any case of its letters. */
    public static boolean contains(byte[] bytes, String text) {
        return new String(bytes, StandardCharsets.ISO_8859_1)
                .toLowerCase(java.util.Locale.ROOT)
                .contains(text);
    }
}
