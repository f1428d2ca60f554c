//! `segtui tree`.

use crate::desk::Workspace;

#[test]
fn the_tree_is_printed_for_reading() {
    let (code, stdout, _) = Workspace::new().run(&["tree", "--demo"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("   ├─ Łódzkie  [PL-10]\n   │  ├─ Łódź  [PL-10-1]\n   │  │  ├─ Łódź Bałuty"), "{stdout}");
    assert!(
        stdout.contains("Orphans: parent missing:\n└─ (crm-2019-import)\n   └─ Klienci z dawnego CRM  [CRM-OLD]\n")
    );
}
