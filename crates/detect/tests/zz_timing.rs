//! temporary
use detect::cases::Case;
use detect::Catalogue;
#[tokio::test]
async fn timing() {
    for d in Catalogue::builtin().detectors() {
        for c in Case::of(d).unwrap() {
            let s = c.session(d).unwrap();
            let t = std::time::Instant::now();
            for _ in 0..5 { d.run(&s, &c.window, &c.partner()).await.unwrap(); }
            println!("{} {} {:?}", d.manifest.id, c.name, t.elapsed() / 5);
        }
    }
}
