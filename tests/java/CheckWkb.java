import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.locationtech.jts.geom.Geometry;
import org.locationtech.jts.geom.Polygon;
import org.locationtech.jts.geom.PrecisionModel;
import org.locationtech.jts.io.WKBReader;
import org.locationtech.jts.operation.valid.IsValidOp;
import org.locationtech.jts.precision.GeometryPrecisionReducer;

/** usage: CheckWkb FILE SCALE [FILE SCALE ...]. One polygon per line as hexadecimal WKB: each must be valid for JTS as it
 * is, and stay a polygon of some area on a grid of 1 / SCALE. Prints how many; exits with 1 at the first that is not. */
public final class CheckWkb {
    public static void main(String[] args) throws Exception {
        int count = 0;
        for (int k = 0; k + 1 < args.length; k += 2) {
            count += check(args[k], new PrecisionModel(Double.parseDouble(args[k + 1])));
        }
        System.out.println(count);
    }

    private static int check(String path, PrecisionModel grid) throws Exception {
        WKBReader reader = new WKBReader();
        int count = 0;
        try (BufferedReader lines = Files.newBufferedReader(Path.of(path))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String where = path + ", polygon " + count++ + ": ";
                Geometry polygon = reader.read(WKBReader.hexToBytes(line));
                IsValidOp valid = new IsValidOp(polygon);
                require(valid.isValid(), where + valid.getValidationError());
                Geometry reduced = GeometryPrecisionReducer.reduce(polygon, grid);
                require(reduced instanceof Polygon && reduced.getArea() > 0, where + "falls apart at 0.01 px: " + reduced);
            }
        }
        return count;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            System.out.println(message);
            System.exit(1);
        }
    }
}
