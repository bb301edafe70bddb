use rayon::prelude::*;
fn walk(dir:&std::path::Path,out:&mut Vec<std::path::PathBuf>){ let Ok(rd)=std::fs::read_dir(dir) else {return}; for e in rd.flatten(){ let p=e.path(); let ft=e.file_type().unwrap(); if ft.is_dir(){ if p.file_name().unwrap()!=".git"{walk(&p,out)} } else if ft.is_file() && matches!(p.extension().and_then(|e|e.to_str()),Some("c"|"h")){out.push(p)} } }
fn main(){ rayon::ThreadPoolBuilder::new().num_threads(2).build_global().unwrap();
 let args:Vec<String>=std::env::args().skip(1).collect();
 if args[0]=="one" { println!("{}", lorelint::probe_dump(&std::fs::read(&args[1]).unwrap())); return }
 let t=std::time::Instant::now(); let mut files=vec![]; for a in &args {walk(a.as_ref(),&mut files)} println!("walk {:?} {}",t.elapsed(),files.len());
 let t=std::time::Instant::now(); let r:Vec<[u64;9]>=files.par_iter().map(|f|lorelint::probe_scan(&std::fs::read(f).unwrap())).collect();
 println!("scan {:?}",t.elapsed()); let mut s=[0u64;9]; for a in r {for i in 0..9{s[i]+=a[i]}} println!("funcs,objects,types,typedefs,macros,uses {:?} refs {} pairs {} calls {}",&s[..6],s[6],s[7],s[8]); }
